"""The whole loop, shown on real servers: models, traffic, an incident, a page.

Belongs here: two model services and what goes wrong with them, their past, the traffic that they get, the
inboxes that receive pages, and the story that is told about it all.

Must not be here: an answer of a server that we made up, or anything that a user of AIRIS-MON would want to
import: the demo uses the product from outside, as its users do.
"""
