"""One series of the past -> what was expected of it, how far off it was, who would have been told, and why.

Belongs here: the course of a series as the service judges it, the reasons of one moment in words and numbers,
episodes, and their forms: a page, a picture, a table.

Must not be here: judgements of its own. What is drawn are the bits that the service would have written.
"""
