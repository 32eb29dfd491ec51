"""The kernels: ``reference`` in NumPy, the specification, and ``compiled``, its fast twin."""
