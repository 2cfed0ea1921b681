#!/usr/bin/env python3
"""Makes fixtures/sklearn.json: what scikit-learn and NumPy say of generated features (Python 3 with both; a second).

    python3 test/golden/make-sklearn.py

All in float64 on features that float32 holds exactly. The rows of kNN are drawn so that no vote or neighbour is decided by rounding.
"""

import json
import os

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.neighbors import KNeighborsClassifier

CLASSES, TEMPERATURE = 9, 0.1
rng = np.random.default_rng(5)
centres = rng.normal(size=(CLASSES, 12))


def rows(count):
    labels = rng.integers(0, CLASSES, count)
    features = 0.8 * centres[labels] + rng.normal(size=(count, 12)) + 0.5
    return np.round(features * 256) / 256, labels


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def accuracies(scores, labels):
    """Top-1 and top-5; a class of score 0 is not named."""
    own = scores[np.arange(len(labels)), labels]
    before = (scores > own[:, None]).sum(1)
    return {"top1": float(((before < 1) & (own > 0)).mean()), "top5": float(((before < 5) & (own > 0)).mean())}


def knn(k):
    model = KNeighborsClassifier(k, metric="cosine", algorithm="brute", weights=lambda d: np.exp((1 - d) / TEMPERATURE))
    model.fit(bank, bank_labels)
    scores = model.predict_proba(queries)
    best = np.sort(scores, axis=1)
    assert (best[:, -1] - best[:, -2]).min() > 1e-5
    cosines = -np.sort(-(unit(queries) @ unit(bank).T), axis=1)
    assert (cosines[:, k - 1] - cosines[:, k]).min() > 1e-6
    predictions = model.predict(queries)
    return {"k": k, **accuracies(scores, query_labels), "predictions": predictions.tolist(),
            "confusion": confusion_matrix(query_labels, predictions, labels=range(CLASSES)).ravel().tolist()}


def probe(factor):
    lam = float(factor * bank.var(axis=0).mean())
    model = LogisticRegression(C=1 / (len(bank) * lam), tol=1e-9, max_iter=5000).fit(bank, bank_labels)
    loss = log_loss(bank_labels, model.predict_proba(bank)) + lam / 2 * (model.coef_ ** 2).sum()
    return {"lambda": lam, "loss": float(loss), **accuracies(model.predict_proba(queries), query_labels)}


def uniformity(x):
    z = unit(x)
    squares = ((z[:, None] - z[None]) ** 2).sum(-1)[np.triu_indices(len(z), 1)]
    return float(np.log(np.exp(-2 * squares).mean()))


def rank_me(x):
    p = np.linalg.svd(x, compute_uv=False)
    p = p[p > 0] / p.sum()
    return float(np.exp(-(p * np.log(p)).sum()))


bank, bank_labels = rows(400)
queries, query_labels = rows(150)
half = len(queries) // 2
low = np.round(rng.normal(size=(100, 3)) * 16) @ np.round(rng.normal(size=(3, 12)) * 16) / 256
squares = ((unit(queries[:half]) - unit(queries[half:])) ** 2).sum(1)
result = {
    "made_by": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "classes": CLASSES, "temperature": TEMPERATURE, "columns": 12,
    "bank": bank.ravel().tolist(), "bankLabels": bank_labels.tolist(),
    "queries": queries.ravel().tolist(), "queryLabels": query_labels.tolist(),
    "ofRankThree": low.ravel().tolist(),
    "knn": [knn(k) for k in (1, 5, 20, 200)],
    "probes": [probe(factor) for factor in (1e-5, 1e-4, 1e-3, 1e-2)],
    "alignment": float(squares.mean()),
    "uniformity": {"queries": uniformity(queries), "bank": uniformity(bank)},
    "rank": {"queries": rank_me(queries), "bank": rank_me(bank), "ofRankThree": rank_me(low)},
}
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "fixtures", "sklearn.json"), "w") as file:
    file.write("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in result.items()) + "\n}\n")
