/*
 * MPI's standard ABI in front of Debian's MPICH, which does not have it yet: handles, constants and statuses as MPI 5.0, chapter 20, has
 * them, turned into MPICH's. Only the calls that dist/mpi makes.
 *
 *     gcc -shared -fPIC -o libmpi_abi.so.0 mpi_abi.c -l:libmpich.so.12
 */
#include <stddef.h>
#include <stdint.h>

#ifndef VERSION
#define VERSION 1
#endif

/* Of the standard: handles are pointers, the predefined ones small numbers. */
typedef const void *Handle;
typedef struct {
  int source, tag, error, internal[5];
} Status;
enum { ANY_SOURCE = -1, THREAD_MULTIPLE = 4096 };
#define REQUEST_NULL ((Handle)0x180)
#define IN_PLACE ((const void *)1)

/* MPICH's: handles are numbers. */
typedef struct {
  int count_low, count_high, source, tag, error;
} OwnStatus;
enum { OWN_ANY_SOURCE = -2, OWN_THREAD_MULTIPLE = 3, OWN_REQUEST_NULL = 0x2c000000 };
#define OWN_IN_PLACE ((const void *)-1)
#define OWN_STATUS_IGNORE ((OwnStatus *)1)

static const int predefined[][2] = {
    {0x21, 0x58000003},  /* MPI_SUM */
    {0x101, 0x44000000}, /* MPI_COMM_WORLD */
    {0x143, 0x54000001}, /* MPI_ERRORS_RETURN */
    {0x209, 0x4c000405}, /* MPI_INT */
    {0x20c, 0x4c000204}, /* MPI_UNSIGNED_SHORT */
    {0x20d, 0x4c000406}, /* MPI_UNSIGNED */
    {0x210, 0x4c00040a}, /* MPI_FLOAT */
    {0x214, 0x4c00080b}, /* MPI_DOUBLE */
    {0x245, 0x4c000102}, /* MPI_UNSIGNED_CHAR */
    {0x247, 0x4c00010d}, /* MPI_BYTE */
    {0x180, OWN_REQUEST_NULL},
};
static int own(Handle handle) {
  for (size_t i = 0; i < sizeof predefined / sizeof *predefined; i++)
    if ((intptr_t)handle == predefined[i][0]) return predefined[i][1];
  return (int)(intptr_t)handle;
}
static Handle made(int handle) {
  return handle == OWN_REQUEST_NULL ? REQUEST_NULL : (Handle)(uintptr_t)(unsigned)handle;
}
static const void *place(const void *buffer) { return buffer == IN_PLACE ? OWN_IN_PLACE : buffer; }
static int rank_of(int rank) { return rank == ANY_SOURCE ? OWN_ANY_SOURCE : rank; }
static void give(Status *into, OwnStatus from) {
  if (!into) return;
  into->source = from.source;
  into->tag = from.tag;
  into->error = from.error;
  into->internal[0] = from.count_low;
  into->internal[1] = from.count_high;
}

int MPI_Abi_get_version(int *major, int *minor) {
  *major = VERSION;
  *minor = 0;
  return 0;
}

extern int PMPI_Init_thread(int *, char ***, int, int *);
int MPI_Init_thread(int *argc, char ***argv, int level, int *given) {
  int code = PMPI_Init_thread(argc, argv, level == THREAD_MULTIPLE ? OWN_THREAD_MULTIPLE : 0, given);
  *given = *given == OWN_THREAD_MULTIPLE ? THREAD_MULTIPLE : 0;
  return code;
}
extern int PMPI_Finalize(void);
int MPI_Finalize(void) { return PMPI_Finalize(); }
extern int PMPI_Abort(int, int);
int MPI_Abort(Handle comm, int code) { return PMPI_Abort(own(comm), code); }
extern int PMPI_Get_library_version(char *, int *);
int MPI_Get_library_version(char *text, int *length) {
  return PMPI_Get_library_version(text, length);
}
extern int PMPI_Error_string(int, char *, int *);
int MPI_Error_string(int code, char *text, int *length) {
  return PMPI_Error_string(code, text, length);
}
extern int PMPI_Comm_set_errhandler(int, int);
int MPI_Comm_set_errhandler(Handle comm, Handle handler) {
  return PMPI_Comm_set_errhandler(own(comm), own(handler));
}
extern int PMPI_Comm_rank(int, int *);
int MPI_Comm_rank(Handle comm, int *rank) { return PMPI_Comm_rank(own(comm), rank); }
extern int PMPI_Comm_size(int, int *);
int MPI_Comm_size(Handle comm, int *size) { return PMPI_Comm_size(own(comm), size); }

#define START(name, Buffer)                                                                      \
  extern int PMPI_##name(Buffer, int, int, int, int, int, int *);                                \
  int MPI_##name(Buffer b, int n, Handle type, int rank, int tag, Handle comm, Handle *request) { \
    int started, code = PMPI_##name(b, n, own(type), rank_of(rank), tag, own(comm), &started);    \
    *request = made(started);                                                                    \
    return code;                                                                                 \
  }
START(Isend, const void *)
START(Issend, const void *)
START(Irecv, void *)

extern int PMPI_Test(int *, int *, OwnStatus *);
int MPI_Test(Handle *request, int *flag, Status *status) {
  OwnStatus found = {0};
  int asked = own(*request), code = PMPI_Test(&asked, flag, &found);
  *request = made(asked);
  if (*flag) give(status, found);
  return code;
}
extern int PMPI_Wait(int *, OwnStatus *);
int MPI_Wait(Handle *request, Status *status) {
  OwnStatus found = {0};
  int asked = own(*request), code = PMPI_Wait(&asked, status ? &found : OWN_STATUS_IGNORE);
  *request = made(asked);
  give(status, found);
  return code;
}
extern int PMPI_Cancel(int *);
int MPI_Cancel(Handle *request) {
  int asked = own(*request);
  return PMPI_Cancel(&asked);
}
extern int PMPI_Get_count(const OwnStatus *, int, int *);
int MPI_Get_count(const Status *status, Handle type, int *count) {
  OwnStatus known = {status->internal[0], status->internal[1], status->source, status->tag,
                     status->error};
  return PMPI_Get_count(&known, own(type), count);
}

extern int PMPI_Comm_group(int, int *);
int MPI_Comm_group(Handle comm, Handle *group) {
  int found, code = PMPI_Comm_group(own(comm), &found);
  *group = made(found);
  return code;
}
extern int PMPI_Group_incl(int, int, const int[], int *);
int MPI_Group_incl(Handle group, int n, const int ranks[], Handle *some) {
  int found, code = PMPI_Group_incl(own(group), n, ranks, &found);
  *some = made(found);
  return code;
}
extern int PMPI_Comm_create_group(int, int, int, int *);
int MPI_Comm_create_group(Handle comm, Handle group, int tag, Handle *created) {
  int found, code = PMPI_Comm_create_group(own(comm), own(group), tag, &found);
  *created = made(found);
  return code;
}

extern int PMPI_Allreduce(const void *, void *, int, int, int, int);
int MPI_Allreduce(const void *from, void *into, int n, Handle type, Handle op, Handle comm) {
  return PMPI_Allreduce(place(from), into, n, own(type), own(op), own(comm));
}
extern int PMPI_Reduce_scatter(const void *, void *, const int[], int, int, int);
int MPI_Reduce_scatter(const void *from, void *into, const int n[], Handle type, Handle op,
                       Handle comm) {
  return PMPI_Reduce_scatter(place(from), into, n, own(type), own(op), own(comm));
}
extern int PMPI_Allgatherv(const void *, int, int, void *, const int[], const int[], int, int);
int MPI_Allgatherv(const void *from, int n, Handle from_type, void *into, const int counts[],
                   const int places[], Handle type, Handle comm) {
  return PMPI_Allgatherv(place(from), n, own(from_type), into, counts, places, own(type),
                         own(comm));
}
extern int PMPI_Barrier(int);
int MPI_Barrier(Handle comm) { return PMPI_Barrier(own(comm)); }
extern int PMPI_Bcast(void *, int, int, int, int);
int MPI_Bcast(void *buffer, int n, Handle type, int root, Handle comm) {
  return PMPI_Bcast(buffer, n, own(type), root, own(comm));
}
