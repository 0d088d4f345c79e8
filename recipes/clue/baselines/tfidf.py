"""TF-IDF of characters and logistic regression: what a model of a task of classes must beat.

    python3 recipes/clue/baselines/tfidf.py FOLDER [accuracy|macro_f1]

FOLDER is as `deno task clue --split` leaves it, or an official one: train, dev and, where it has labels, test. The strength
of the penalty and the weights of the classes are chosen on dev by the metric; the score is that of test, else of dev.
Needs scikit-learn (Debian: python3-sklearn).
"""

import json
import os
import sys
import warnings

from scipy.sparse import hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

FIELDS = [("sentence1", "sentence2"), ("query", "title"), ("sentence",), ("text_a",)]
METRICS = {
    "accuracy": lambda y, p: 100 * accuracy_score(y, p),
    "macro_f1": lambda y, p: 100 * f1_score(y, p, average="macro"),
}


def lines_of(folder, split):
    """The examples of a split; none where it has no file."""
    for name in (f"{split}.json", f"{split}.tsv"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file.read().split("\n") if line.strip()]
        if name.endswith(".json"):
            return [json.loads(line) for line in lines]
        return [dict(zip(("sentence1", "sentence2", "label"), line.split("\t"))) for line in lines]
    return []


def texts_and_labels(folder, split):
    rows = [row for row in lines_of(folder, split) if "label" in row and row["label"] != "-"]
    if not rows:
        return None
    fields = next(names for names in FIELDS if names[0] in rows[0])
    return [[row[name] for row in rows] for name in fields], [str(row["label"]) for row in rows]


def features(vectorizer, columns):
    """Weights of the n-grams of a text, or of both, what only one has, and what both have."""
    parts = [vectorizer.transform(column) for column in columns]
    if len(parts) == 1:
        return parts[0]
    a, b = parts
    return hstack([a, b, abs(a - b), a.multiply(b)]).tocsr()


def main():
    folder, metric = sys.argv[1], (sys.argv[2:] or ["accuracy"])[0]
    train, dev, test = (texts_and_labels(folder, split) for split in ("train", "dev", "test"))
    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2, max_features=200_000
    ).fit([text for column in train[0] for text in column])
    x, x_dev = features(vectorizer, train[0]), features(vectorizer, dev[0])
    tried = []
    for weight in (None, "balanced"):
        for strength in (1, 4, 16):
            model = LogisticRegression(C=strength, class_weight=weight, solver="liblinear", dual=True)
            model.fit(x, train[1])
            score = METRICS[metric](dev[1], model.predict(x_dev))
            tried.append((score, -strength, str(weight), model))
    _, strength, weight, model = max(tried, key=lambda one: one[:2])
    name, (columns, labels) = ("test", test) if test else ("dev", dev)
    answers = model.predict(features(vectorizer, columns))
    scores = {key: round(judge(labels, answers), 2) for key, judge in METRICS.items()}
    about = {"folder": os.path.basename(os.path.normpath(folder)), "split": name, "n": len(labels)}
    print(json.dumps({**about, "train": len(train[1]), **scores, "C": -strength, "weight": weight}))


warnings.simplefilter("ignore", ConvergenceWarning)
main()
