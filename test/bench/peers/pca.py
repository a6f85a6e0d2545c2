"""Fifty components of a users x tracks matrix.  argv: DIR exact|dense|pca-arpack|randomized|randomized20|svd-arpack|svds REPEATS

DIR: indptr.i32, indices.i32, data.f64 (a sparse matrix by rows), shape.i32. `exact` writes pca.f64 and svd.f64, the squares of the fifty largest singular values
of the matrix with its columns centred and as it is, found by ARPACK to machine precision; each other compares what it finds with one of them.
"""
import os
import sys
import time

import numpy as np
import scipy.sparse as sp
from common import report

folder, which, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
K = 50


def read(name, dtype):
    return np.fromfile(os.path.join(folder, name), dtype)


shape = tuple(read("shape.i32", np.int32))
matrix = sp.csr_matrix((read("data.f64", np.float64), read("indices.i32", np.int32), read("indptr.i32", np.int32)), shape=shape)


def exact():
    from scipy.sparse.linalg import LinearOperator, eigsh

    transposed = matrix.T.tocsr()
    for name, mean in (("pca", np.asarray(matrix.mean(0)).ravel()), ("svd", np.zeros(shape[1]))):

        def gram(x):
            y = transposed @ x - mean * x.sum()
            return matrix @ y - mean @ y

        operator = LinearOperator((shape[0],) * 2, matvec=gram, dtype=float)
        found = eigsh(operator, k=K, ncv=4 * K, tol=0, return_eigenvectors=False)
        np.sort(found)[::-1].tofile(os.path.join(folder, name + ".f64"))
    report(done=1)


def contender():
    """What is timed, and which file holds the exact answer; returns the squares of singular values."""
    from scipy.sparse.linalg import svds
    from sklearn.decomposition import PCA, TruncatedSVD

    def fitted(model, x):
        return lambda: model.fit(x).singular_values_ ** 2

    if which == "dense":
        return fitted(PCA(K, random_state=0), matrix.toarray()), "pca"
    if which == "pca-arpack":
        return fitted(PCA(K, svd_solver="arpack", random_state=0), matrix), "pca"
    if which == "randomized":
        return fitted(TruncatedSVD(K, random_state=0), matrix), "svd"
    if which == "randomized20":
        return fitted(TruncatedSVD(K, n_iter=20, random_state=0), matrix), "svd"
    if which == "svd-arpack":
        return fitted(TruncatedSVD(K, algorithm="arpack", random_state=0), matrix), "svd"
    return lambda: np.sort(svds(matrix, k=K, random_state=0)[1])[::-1] ** 2, "svd"


if which == "exact":
    exact()
else:
    fit, name = contender()
    seconds = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        squares = fit()
        seconds.append(time.perf_counter() - start)
    truth = read(name + ".f64", np.float64)
    report(firstS=seconds[0], fitS=float(np.median(seconds[1:] or seconds)), error=float(np.max(np.abs(squares / truth - 1))))
