"""Papers of arXiv by their ids, from its search API (`id_list`).

https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus

from typing_extensions import override

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing
from newsletter.ports import PaperFinder
from newsletter.sources.arxiv import SEARCH_PACE
from newsletter.sources.arxiv_search import Results, read_results
from newsletter.sources.parts import Http, endpoint
from newsletter.sources.reading.document import HttpError
from newsletter.sources.reading.records import Seen

_NAME = "arxiv"
_AT_ONCE = 50  # ids of a request


class ArxivPapers(PaperFinder):
    """Asks the search API for papers.

    Args:
        http: makes the requests.
        url: of the API's server, with or without its path.
    """

    def __init__(self, http: Http, url: str) -> None:
        self._http, self._url = http, endpoint(url, "/api/query")

    @override
    async def find(self, arxiv_ids: Collection[str]) -> Mapping[str, Listing | None]:
        found: dict[str, Listing | None] = {}
        ids = list(arxiv_ids)
        for start in range(0, len(ids), _AT_ONCE):
            found |= await self._find(ids[start : start + _AT_ONCE])
        return found

    async def _find(self, ids: list[str]) -> dict[str, Listing | None]:
        """Return what one request finds; where the API refuses one of several ids, it is asked for each half."""
        try:
            results = await self._ask(ids)
        except HttpError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            if len(ids) == 1:
                return {ids[0]: None}
            middle = len(ids) // 2
            return await self._find(ids[:middle]) | await self._find(ids[middle:])
        if results.refusal:
            raise SourceError(f"{_NAME}: does not understand the request: {results.refusal}")
        papers = {one.listing.arxiv_id: one.listing for one in results.found if isinstance(one, Seen)}
        return {identifier: papers.get(identifier) for identifier in ids}

    async def _ask(self, ids: list[str]) -> Results:
        params = {"id_list": ",".join(ids), "max_results": str(len(ids))}
        return await self._http.get(self._url, read_results, params, source=_NAME, pace=SEARCH_PACE)
