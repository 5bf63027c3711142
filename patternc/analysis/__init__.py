"""What a pattern is at one length: rows left empty, keys unseen, pairs that leak.

Sits beside the layout: from relations and trees to findings. Does not handle tiles or devices.
"""
