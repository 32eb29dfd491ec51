"""Set-up of the comparisons with other libraries."""


def pytest_configure(config):
    # On the tests of Keras's own whose oracles we import.
    config.addinivalue_line("markers", "requires_trainable_backend: of Keras")
