"""Everything that changes something: emitting, listening, and what an operator decides.

The faces (sockets, the document's routes, DRF, admin, pages) all call these flows.
"""
