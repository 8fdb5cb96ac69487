// What is said of a target's executable: facts in words, and of each whether it is what the target promises.
import { oldest, type Target } from "../targets.ts";
import { readBunSection } from "./bun-section.ts";
import { readCodeSignature } from "./code-signature.ts";
import { isElf, readElf } from "./elf.ts";
import { distributionsWith } from "./glibc.ts";
import { isMachO, readMachO } from "./mach-o.ts";
import { isPe, readPe } from "./pe.ts";

/** One line about an executable. */
export interface Fact {
  name: string;
  value: string;
  /** What is wrong with it, which makes the release fail. */
  wrong?: string;
}

/** All facts of a file that should be an executable for this target. A file that cannot be read is one wrong fact. */
export function factsOf(target: Target, file: Buffer): Fact[] {
  try {
    const format = isElf(file) ? "ELF" : isMachO(file) ? "Mach-O" : isPe(file) ? "PE32+" : "unknown";
    const wanted = { linux: "ELF", darwin: "Mach-O", win32: "PE32+" }[target.os];
    if (format !== wanted) return [{ name: "format", value: format, wrong: `${target.os} takes ${wanted}` }];
    return { linux: elfFacts, darwin: machOFacts, win32: peFacts }[target.os](target, file);
  } catch (error) {
    const told =
      error instanceof RangeError ? "it is cut off" : error instanceof Error ? error.message : String(error);
    return [{ name: "format", value: "cannot be read", wrong: told }];
  }
}

function elfFacts(target: Target, file: Buffer): Fact[] {
  const facts = readElf(file);
  const { libc } = facts;
  const wantsCpp = libc === "musl" && facts.libraries.some((name) => name.startsWith("libstdc++"));
  return [
    formatFact(target, "ELF", facts),
    fact(
      "loader",
      facts.interpreter ?? "none",
      libc !== target.libc && `that is not the one of ${target.libc}`,
    ),
    fact("libraries", facts.libraries.join(", ") + (wantsCpp ? "; on Alpine, `apk add libstdc++`" : "")),
    ...(facts.glibc === undefined
      ? []
      : [
          fact(
            "glibc",
            `${facts.glibc} or newer: ${distributionsWith(facts.glibc)} and newer`,
            tooNew(facts.glibc, oldest.glibc),
          ),
        ]),
    fact("protection", `${protection(facts)}, relocations read-only: ${facts.relro}`, stackFault(facts)),
    programFact(facts.bun),
  ];
}

function machOFacts(target: Target, file: Buffer): Fact[] {
  const facts = readMachO(file);
  return [
    formatFact(target, "Mach-O", facts),
    fact(
      "system",
      `macOS ${facts.macos} or newer`,
      facts.macos === undefined ? "it does not say which macOS it needs" : tooNew(facts.macos, oldest.macos),
    ),
    fact("libraries", facts.libraries.join(", ")),
    ...signatureFacts(file, facts.signature),
    programFact(facts.bun),
  ];
}

function signatureFacts(file: Buffer, place: ReturnType<typeof readMachO>["signature"]): Fact[] {
  if (!place) return [fact("signature", "none", "macOS on arm64 ends a program without one")];
  const signature = readCodeSignature(file, place);
  const { pages, badPages, codeLimit } = signature;
  const shown = badPages.slice(0, 8).join(", ") + (badPages.length > 8 ? ", …" : "");
  const kind = signature.certified
    ? "by a certificate"
    : signature.adHoc
      ? "ad hoc"
      : "neither ad hoc nor certified";
  const covers = codeLimit === place.offset && place.offset + place.size === file.length;
  return [
    fact(
      "signature",
      `${kind}, of "${signature.identifier}"`,
      !signature.adHoc && !signature.certified && "nobody made it, and it does not say that nobody did",
    ),
    fact(
      "pages",
      `${pages - badPages.length} of ${pages} right (${signature.hash}, ${signature.pageSize} bytes each)`,
      badPages.length > 0 && `${badPages.length} have another hash: ${shown}`,
    ),
    fact(
      "covers",
      `${codeLimit} bytes; with the signature, ${place.offset + place.size} of ${file.length}`,
      !covers && "it does not cover the file up to the signature, or that does not end the file",
    ),
  ];
}

function peFacts(target: Target, file: Buffer): Fact[] {
  const facts = readPe(file);
  const { ProductName, ProductVersion, CompanyName } = facts.version;
  return [
    formatFact(target, "PE32+", facts),
    fact(
      "subsystem",
      facts.subsystem,
      facts.subsystem !== "console" && "a server on stdio is a console program",
    ),
    fact("protection", protection(facts), stackFault(facts)),
    fact("certificate", facts.certified ? "present" : "none"),
    fact("properties", ProductName ? `${ProductName} ${ProductVersion}, ${CompanyName}` : "none"),
    programFact(facts.bun),
  ];
}

// What is promised to users is older than what the executable asks for.
function tooNew(needed: string, promised: string): string | false {
  const newer = promised.localeCompare(needed.replace(/\.0$/, ""), "en", { numeric: true }) < 0;
  return newer && `${promised} is promised`;
}

function formatFact(target: Target, format: string, { machine }: { machine: string }): Fact {
  return fact(
    "format",
    `${format}, 64 bit, ${machine}`,
    machine !== target.cpu && `the target is ${target.cpu}`,
  );
}

function protection({
  positionIndependent,
  stackIsData,
}: {
  positionIndependent: boolean;
  stackIsData: boolean;
}): string {
  const address = positionIndependent ? "at any address" : "at a fixed address";
  return `${address}, stack ${stackIsData ? "not executable" : "executable"}`;
}

function stackFault({ stackIsData }: { stackIsData: boolean }): string | false {
  return !stackIsData && "its stack can be executed";
}

function programFact(section: Buffer | undefined): Fact {
  if (!section) return fact("program", "none", "there is no section of Bun's in it");
  try {
    const { modules, bytes } = readBunSection(section);
    return fact("program", `${modules} modules in ${(bytes / 1e6).toFixed(2)} MB`);
  } catch (error) {
    return fact("program", "not whole", error instanceof RangeError ? "it is cut off" : String(error));
  }
}

function fact(name: string, value: string, wrong: string | false = false): Fact {
  return wrong === false ? { name, value } : { name, value, wrong };
}
