import { basename, format, parse } from "node:path";
import type { AccessModel } from "../model/model.ts";
import { accessPage } from "./markdown.ts";
import { accessPicture } from "./svg.ts";

/** A file that `rowhouse access` writes. */
export interface AccessFile {
  readonly path: string;
  readonly content: string;
}

/**
 * The page that shows who can do what, and the picture beside it.
 *
 * @param page The path of the page; the picture has the same name and ends with ".svg".
 */
export function accessFiles(model: AccessModel, page: string): [AccessFile, AccessFile] {
  const { dir, name } = parse(page);
  const picture = format({ dir, name, ext: ".svg" });
  return [
    { path: page, content: accessPage(model, encodeURI(basename(picture))) },
    { path: picture, content: accessPicture(model) },
  ];
}
