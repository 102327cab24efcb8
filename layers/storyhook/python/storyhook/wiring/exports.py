"""Exports: their routes for the api function, and what makes them for a function of its own."""

from typing import TYPE_CHECKING

from storyhook import settings
from storyhook.wiring import parts

if TYPE_CHECKING:
    from storyhook.aws.bucket import Bucket
    from storyhook.http.etags import Reads
    from storyhook.http.exports import ExportRoutes
    from storyhook.usecases.make_export import MakeExport
    from storyhook.usecases.wait import Wait


def routes(
    config: settings.ApiSettings, images: "Bucket", reads: "Reads", wait: "Wait"
) -> "ExportRoutes":
    from storyhook.aws.exports import ExportTable
    from storyhook.aws.queues import ExportsQueue
    from storyhook.http.exports import ExportRoutes
    from storyhook.usecases.exports import ReadExports, RequestExport

    rows = parts.table(config.table_name)
    exports, read = ExportTable(rows), parts.read_storyboard(rows)
    queue = ExportsQueue(parts.client("sqs"), config.exports_queue_url)
    return ExportRoutes(
        request=RequestExport(exports, queue, read, parts.clock),
        read=ReadExports(exports, read, parts.clock),
        images=images,
        reads=reads,
        wait=wait,
    )


def maker(config: settings.ExportSettings) -> "MakeExport":
    from storyhook.aws.exports import ExportTable
    from storyhook.exports import render
    from storyhook.usecases.make_export import MakeExport

    rows = parts.table(config.table_name)
    return MakeExport(
        exports=ExportTable(rows),
        files=parts.bucket(config.bucket_name, parts.OUTPUT_URL_LIFETIME),
        read_storyboard=parts.read_storyboard(rows),
        render=render,
        clock=parts.clock,
        folder=parts.scratch_folder(),
    )
