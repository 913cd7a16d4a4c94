"""A document -> the workload that its model runs as, and what its containers should request.

Belongs here: names of Kubernetes' and NVIDIA's series, finding a model's pods, tables, JSON and patches.

Must not be here: how advice is made of numbers (`airis_mon.analyzer.rightsizing`), or a client of Kubernetes:
nothing is applied.
"""
