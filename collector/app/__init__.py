"""The program: settings become objects, objects become jobs.

The only package that knows everyone; everything else knows ``core`` and ``errors``.
"""
