// A fleet as it is used: its settings with all paths resolved and its secrets read from their files.
import { z } from "zod";
import { type FleetSettings, type WorkerPolicy, workerPolicy } from "../model/fleet.ts";
import { permissionsOf, readSmallFile } from "../platform/files.ts";
import { absolutePath, homeDirectory } from "../platform/paths.ts";
import { countText } from "../report/amounts.ts";

/** A fleet with its secrets. Never stored, never printed. */
export interface Fleet {
  name: string;
  /** Without a password. */
  url: string;
  password?: string;
  /** The certificate of the server's authority, as PEM. */
  ca?: string;
  /** Signs tasks and results. */
  key: string;
  /** An absolute directory, or `s3://bucket/prefix`. */
  blobs: string;
  s3: S3Access;
  /** Directories that all machines have under the same path. Absolute. */
  shared: readonly string[];
}

/** How to reach an S3 bucket. What is absent comes from the environment, as Bun reads it. */
export interface S3Access {
  endpoint?: string;
  region?: string;
  accessKeyId?: string;
  secretAccessKey?: string;
}

/** What is wrong with a setting, and what to do about it. Both are sentences without secrets. */
export interface Problem {
  setting: keyof FleetSettings | "s3.credentialsFile";
  says: string;
  remedy: string;
}

export type ReadFleet = { ok: true; fleet: Fleet } | { ok: false; problems: Problem[] };

/** Keys and passwords are a line; certificates and credentials, some. */
const mostBytes = 1_000_000;

/** The fewest characters of a key: 32 random bytes in base64 have 43. */
const fewestKeyCharacters = 32;

/** The fleet that settings describe, or everything that is wrong with its files. */
export function readFleet(name: string, settings: FleetSettings): ReadFleet {
  const problems: Problem[] = [];
  const read = <Value>(what: Value | Problem): Value | undefined => {
    if (!isProblem(what)) return what;
    problems.push(what);
    return undefined;
  };
  const password =
    settings.passwordFile === undefined ? undefined : read(secretIn("passwordFile", settings.passwordFile));
  const key = read(keyIn(settings.keyFile));
  const ca = settings.ca === undefined ? undefined : read(certificateIn(settings.ca));
  const s3 = read(s3Access(settings.s3 ?? {}));
  if (problems.length > 0 || key === undefined || s3 === undefined) return { ok: false, problems };
  return {
    ok: true,
    fleet: {
      name,
      url: settings.url,
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
      key,
      blobs: settings.blobs.startsWith("s3://") ? settings.blobs : fromHome(settings.blobs),
      s3,
      shared: settings.shared.map(fromHome),
    },
  };
}

/** How to reach the fleet's server. */
export function redisPlaceOf({ url, password, ca }: Fleet) {
  return { url, ...(password === undefined ? {} : { password }), ...(ca === undefined ? {} : { ca }) };
}

/** The policy of a worker on this machine. Without one, the defaults of the declaration apply. Its directories are absolute. */
export function readPolicy({ policy }: Pick<FleetSettings, "policy">): WorkerPolicy | Problem {
  const given = typeof policy === "string" ? jsonIn(policy) : (policy ?? {});
  if (isProblem(given)) return given;
  const parsed = workerPolicy.safeParse(given);
  if (parsed.success) return { ...parsed.data, directories: parsed.data.directories.map(fromHome) };
  const says = `${String(policy)} is no policy: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}.`;
  return { setting: "policy", says, remedy: "Correct the file; docs/fleet.md lists what a policy has." };
}

/** The files on this machine that have secrets of a fleet, or say what its tasks may do. Absolute. */
export function secretFilesOf({ keyFile, passwordFile, s3, policy }: FleetSettings): string[] {
  return [keyFile, passwordFile, s3?.credentialsFile, policy].flatMap((path) =>
    typeof path === "string" ? [fromHome(path)] : [],
  );
}

/** Whether this is what is wrong, instead of a value. */
export function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "says" in value && "remedy" in value;
}

/** An absolute path, from one that may begin with `~`. */
export function fromHome(path: string): string {
  return absolutePath(path, homeDirectory());
}

function jsonIn(path: string): object | Problem {
  const text = textIn("policy", path);
  if (isProblem(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // The sentence below says it.
  }
  return { setting: "policy", says: `${fromHome(path)} is not a JSON object.`, remedy: "Correct the file." };
}

function keyIn(path: string): string | Problem {
  const key = secretIn("keyFile", path);
  if (isProblem(key) || key.length >= fewestKeyCharacters) return key;
  return {
    setting: "keyFile",
    says: `The key in ${fromHome(path)} has ${countText(key.length, "character")}, fewer than ${fewestKeyCharacters}.`,
    remedy: "Make one with `openssl rand -base64 32`, and give all machines the same.",
  };
}

// One line. Others must not be able to read it, except on Windows, whose files have no such modes.
function secretIn(setting: "keyFile" | "passwordFile", path: string): string | Problem {
  const text = textIn(setting, path);
  if (isProblem(text)) return text;
  const file = fromHome(path);
  const secret = text.trim();
  if (secret === "") return { setting, says: `${file} is empty.`, remedy: "Write the secret into it." };
  if (/[\r\n]/.test(secret))
    return { setting, says: `${file} has several lines.`, remedy: "Leave one line in it." };
  if (process.platform !== "win32" && (permissionsOf(file) & 0o077) !== 0)
    return { setting, says: `Others can read ${file}.`, remedy: `Run \`chmod 600 ${file}\`.` };
  return secret;
}

function certificateIn(path: string): string | Problem {
  const text = textIn("ca", path);
  if (isProblem(text) || text.includes("-----BEGIN CERTIFICATE-----")) return text;
  return {
    setting: "ca",
    says: `${fromHome(path)} holds no certificate.`,
    remedy: "Name a PEM file, which has a line `-----BEGIN CERTIFICATE-----`.",
  };
}

function s3Access({
  endpoint,
  region,
  credentialsFile,
}: NonNullable<FleetSettings["s3"]>): S3Access | Problem {
  const place = {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  };
  if (credentialsFile === undefined) return place;
  const text = textIn("s3.credentialsFile", credentialsFile);
  if (isProblem(text)) return text;
  const accessKeyId = /^\s*aws_access_key_id\s*=\s*(\S+)/m.exec(text)?.[1];
  const secretAccessKey = /^\s*aws_secret_access_key\s*=\s*(\S+)/m.exec(text)?.[1];
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { ...place, accessKeyId, secretAccessKey };
  return {
    setting: "s3.credentialsFile",
    says: `${fromHome(credentialsFile)} has no aws_access_key_id and aws_secret_access_key.`,
    remedy: "Write both as in ~/.aws/credentials; the first of each counts.",
  };
}

function textIn(setting: Problem["setting"], path: string): string | Problem {
  const file = fromHome(path);
  const remedy = `Correct \`${setting}\`, or create the file.`;
  const read = readSmallFile(file, mostBytes);
  if (read.kind === "bytes") return new TextDecoder().decode(read.bytes);
  const says = read.kind === "nothing" ? `${file} does not exist.` : `${file} ${read.reason}.`;
  return { setting, says, remedy };
}
