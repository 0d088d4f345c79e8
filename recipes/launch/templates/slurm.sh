#!/bin/bash
#SBATCH --job-name=__name__
#SBATCH --nodes=__nodes__
#SBATCH --ntasks-per-node=__nproc__
#SBATCH --requeue
#SBATCH --open-mode=append

# Run by sbatch, in the folder of deno.json, which all nodes must see. Each task finds its place in what srun sets.
set -euo pipefail
umask 077
export MOTIAN_JOB="slurm-$SLURM_JOB_ID"
export MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000))
MOTIAN_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export MOTIAN_TOKEN

# A rank that fails ends its step; the next one goes on from the last checkpoint, also where Slurm has put the job back into its queue.
requeued=${SLURM_RESTART_COUNT:-0}
for attempt in $(seq 1 __attempts__); do
  export MOTIAN_GENERATION=$((100 * requeued + attempt))
  code=0
  srun --kill-on-bad-exit=1 __shell__ || code=$?
  # 2 is a wrong call: trying again changes nothing.
  if [ "$code" -eq 0 ] || [ "$code" -eq 2 ]; then exit "$code"; fi
done
exit "$code"
