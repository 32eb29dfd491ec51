"""Set-up of the whole suite."""

import os

# The reference kernels multiply matrices so small that the threads of NumPy's BLAS only get in the way.
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A process that a test starts imports the kitnet under test, not the sources that it is started beside.
os.environ["PYTHONSAFEPATH"] = "1"
