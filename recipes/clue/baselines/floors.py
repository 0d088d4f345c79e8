"""What a task gives to somebody who has learnt next to nothing: what a model must beat before its score means anything.

    python3 recipes/clue/baselines/floors.py FOLDER

FOLDER is as for tfidf.py, or holds the files of CMRC 2018 (as `deno task clue --split` leaves them) or C3.

  classes  the most frequent class of train; for pairs also naive Bayes over n-grams of the second text alone (Gururangan et
           al. 2018, arXiv 1803.02324, call that an artefact of annotation)
  CMRC     the sentence of the passage that shares most pairs of characters with the question
  C3       a choice at random; the choice that shares the largest part of its pairs of characters with the text

Needs scikit-learn (Debian: python3-sklearn).
"""

import json
import os
import re
import sys
from collections import Counter

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.naive_bayes import MultinomialNB

PAIRS = [("sentence1", "sentence2"), ("query", "title")]


def file_of(folder, *starts):
    """The first file whose name begins so."""
    for start in starts:
        for name in sorted(os.listdir(folder)):
            if name.startswith(start):
                return os.path.join(folder, name)
    return None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def bigrams(text):
    return {text[i : i + 2] for i in range(len(text) - 1)}


def rows_of(path):
    """Labelled lines of JSON, or of two texts and a label."""
    lines = [line for line in read(path).split("\n") if line.strip()] if path else []
    if path and path.endswith(".tsv"):
        lines = [dict(zip(("sentence1", "sentence2", "label"), line.split("\t"))) for line in lines]
    else:
        lines = [json.loads(line) for line in lines]
    return [row for row in lines if row.get("label", "-") != "-"]


def scores(labels, answers):
    return {
        "accuracy": round(100 * accuracy_score(labels, answers), 2),
        "macro_f1": round(100 * f1_score(labels, answers, average="macro"), 2),
    }


def classes(folder):
    train = rows_of(file_of(folder, "train"))
    test = rows_of(file_of(folder, "test")) or rows_of(file_of(folder, "dev."))
    labels = [str(row["label"]) for row in test]
    most = Counter(str(row["label"]) for row in train).most_common(1)[0][0]
    yield "most frequent class", len(test), scores(labels, [most] * len(test))
    for _, second in PAIRS:
        if second not in test[0]:
            continue
        best = (-1,)
        dev = rows_of(file_of(folder, "dev."))
        for longest in (1, 2, 3):
            words = CountVectorizer(analyzer="char", ngram_range=(1, longest), binary=True)
            model = MultinomialNB(alpha=0.5)
            model.fit(words.fit_transform(row[second] for row in train), [str(row["label"]) for row in train])
            on_dev = accuracy_score(
                [str(row["label"]) for row in dev], model.predict(words.transform(row[second] for row in dev))
            )
            best = max(best, (on_dev, -longest, words, model), key=lambda one: one[:2])
        answers = best[3].predict(best[2].transform(row[second] for row in test))
        yield "naive Bayes of the second text", len(test), scores(labels, answers)


def only_words(text):
    return re.sub(r"[\W_]", "", text.lower())


def overlap(answer, truth):
    """F1 of the longest common stretch, as CMRC's own script has it (for Chinese characters)."""
    a, t = only_words(answer), only_words(truth)
    longest, before = 0, [0] * (len(t) + 1)
    for one in a:
        now = [0] * (len(t) + 1)
        for j, other in enumerate(t):
            if one == other:
                now[j + 1] = before[j] + 1
                longest = max(longest, now[j + 1])
        before = now
    return 200 * longest / (len(a) + len(t)) if a or t else 0


def cmrc(path):
    exact, f1 = [], []
    for article in json.loads(read(path))["data"]:
        for paragraph in article["paragraphs"]:
            parts = [part for part in re.split(r"[。！？；，、：\n]", paragraph["context"]) if part]
            for question in paragraph["qas"]:
                asked = bigrams(question["question"])
                answer = max(parts, key=lambda part: len(asked & bigrams(part)))
                truths = [one["text"] for one in question["answers"]]
                exact.append(100 * any(only_words(answer) == only_words(truth) for truth in truths))
                f1.append(max(overlap(answer, truth) for truth in truths))
    mean = lambda values: round(sum(values) / len(values), 2)
    yield "the part of a sentence most like the question", len(f1), {"em": mean(exact), "f1": mean(f1)}


def c3(folder):
    chance, right = [], []
    for kind in "dm":
        for texts, questions, _ in json.loads(read(os.path.join(folder, f"c3-{kind}-dev.json"))):
            said = bigrams("\n".join(texts))
            for question in questions:
                choices = question["choice"]
                shared = [len(bigrams(one) & said) / max(1, len(bigrams(one))) for one in choices]
                chance.append(100 / len(choices))
                right.append(100 * (choices[shared.index(max(shared))] == question["answer"]))
    yield "any choice", len(chance), {"accuracy": round(sum(chance) / len(chance), 2)}
    yield "the choice most like the text", len(right), {"accuracy": round(sum(right) / len(right), 2)}


def main():
    folder = sys.argv[1]
    if file_of(folder, "c3-d-dev"):
        found = c3(folder)
    elif '"qas"' in read(file_of(folder, "dev")):
        found = cmrc(file_of(folder, "test", "dev"))
    else:
        found = classes(folder)
    for floor, n, values in found:
        print(json.dumps({"folder": os.path.basename(os.path.normpath(folder)), "floor": floor, "n": n, **values}))


main()
