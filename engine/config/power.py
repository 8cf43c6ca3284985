"""What a jobs.yaml can do beyond reading its folder, so that somebody has to trust it first.

Code that is not part of Rivus is refused where it would be imported (`resolve`). This is about a file that names only
shipped functions, and yet decides which programs run, where a key is sent, or what money is spent on.
"""

from __future__ import annotations

from engine.config.resolve import Resolver, Unresolved
from engine.contracts.seam import PROGRAMS_ATTRIBUTE, SERVERS_ATTRIBUTE
from engine.contracts.spec import DiscoverySpec, ProjectSpec


def power_of(project: ProjectSpec, resolver: Resolver) -> str | None:
    """Name the first thing in a configuration that needs trust, in a few words; None where there is none."""
    if project.models or project.backends:
        return "it says which models are asked, with whose keys, and what they may cost"
    settings = project.settings
    if settings.http_allow or settings.http_proxy:
        return "it opens this machine's network to its handlers (`http`)"
    if settings.doctor.notify:
        return "it says where notifications go (`notify`)"
    for job in project.jobs:
        if job.discovery is not None and (named := _asked(resolver, job.discovery)):
            return f"{job.name} asks servers that files of this folder name (`{named}`)"
        for stage in job.stages:
            try:
                programs = getattr(resolver.handler(stage.handler), PROGRAMS_ATTRIBUTE, ())
            except Unresolved:
                continue
            if named := next((name for name in programs if name in stage.params), None):
                return f"stage {stage.name} of {job.name} starts programs that it names (`{named}`)"
    return None


def _asked(resolver: Resolver, discovery: DiscoverySpec) -> str | None:
    try:
        names = getattr(resolver.discovery(discovery.use), SERVERS_ATTRIBUTE, ())
    except Unresolved:
        return None
    return next((name for name in names if discovery.params.get(name)), None)
