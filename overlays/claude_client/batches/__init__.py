"""Message batches of any size: split, created once, waited for, and read item by item.

``client.messages.batches.run(...)`` puts the parts together; each can be used alone:

- :mod:`.splitting` cuts requests into batches that the API takes;
- :mod:`.journal` remembers on disk which batches were created;
- :mod:`.waiting` decides when to ask again;
- :mod:`.results` reads results to their end, whatever happens to the connection;
- :mod:`.item_errors` makes an error of a request that failed;
- :mod:`.run_settings` says how a run is carried out;
- :mod:`.runs` decides what a run does next, :mod:`.doubts` what became of a batch whose creation
  was not answered. Neither does I/O: :mod:`.driving` does, for both clients.
"""
