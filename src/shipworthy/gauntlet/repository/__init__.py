"""What can be said of an app without starting it: its files, its history, and what it is built of.

Other people's scanners are asked, and none is believed before it has found a defect planted for it.
"""
