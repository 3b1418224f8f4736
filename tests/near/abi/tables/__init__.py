"""Which C names the constants have, in a module for each family.

``HEADERS``: what to include. ``ENUMS``: an enumeration by the prefix of its members' C names.
``NAMES``: single constants by their C names; also members whose C name is no prefix and name.
``ON_MACHINES``: which machines have the headers, where not all do.
"""
