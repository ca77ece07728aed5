"""The self-test: drawn photos with planted marks go the whole way, and what came out is looked at.

Everything is drawn here, so it needs no network and no file from elsewhere. The copies are judged by their pixels and
bytes, not by what the report says of them.

``hiding``     files with one thing hidden in one place each
``pictures``   photos with text, codes, faces, a ruler and a wound at known places
``face``       a drawn head
``own``        a site's own cases
``judge``      what became of every mark
"""
