"""Hand-written support code of the generated package: transport, streams, pages, errors, JSON."""
