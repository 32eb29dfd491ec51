"""One process a library: each module serves the rows of ``rows.py`` on one of them (see ``protocol.py``)."""
