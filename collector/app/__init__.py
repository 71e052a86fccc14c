"""The program: settings become objects, objects become jobs.

It imports every package that a running collector consists of; only ``cli`` and ``demo``
import it.
"""
