"""From the bytes of a stream to records: framings cut frames, codecs read them.

    bytes of a message -> framing -> frames -> codec -> records, as JSON objects

A codec is a pure function; a framing remembers what a message left unfinished.
Neither ever raises for what it is given: what cannot be read comes back as
``core.model.Rejected``, with its bytes and the reason.
"""
