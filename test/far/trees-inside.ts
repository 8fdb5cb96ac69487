// A machine that has working trees of others, in the process of the test.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FarTrees } from "../../src/engine/hosts/far-trees.ts";
import { type TreeHost, Trees } from "../../src/engine/hosts/trees.ts";
import type { Inside } from "../inside.ts";

const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];

/** Git as its user runs it. */
export function gitIn(directory: string, ...words: string[]): string {
  const how = ["-c", "protocol.file.allow=always", ...identity];
  const { success, stdout, stderr } = Bun.spawnSync(["git", ...how, ...words], { cwd: directory });
  if (!success) throw new Error(`git ${words.join(" ")}: ${stderr}`);
  return stdout.toString().trimEnd();
}

/** A machine that has working trees of others, without a connection. */
export function farMachine(inside: Inside) {
  const folder = inside.file("far");
  mkdirSync(folder);
  const there = new FarTrees(folder);
  const host: TreeHost = {
    name: "box1",
    canFetch: true,
    textOf: (path) => `box1:${path}`,
    tree: async (action, body = new Uint8Array(0)) => {
      const { answer, body: found = new Uint8Array(0) } = await there.act("abcd2345", action, body);
      return { ...answer, body: found };
    },
  };
  mkdirSync(inside.file("batch"));
  const trees = new Trees(inside.file("batch"));
  return { there, host, trees, folder, pathOf: (text: string) => text.slice("box1:".length) };
}

/** The same, and a repository with a commit here. */
export function machineFor(inside: Inside) {
  gitIn(inside.work, "init", "--quiet");
  writeFileSync(join(inside.work, "one.txt"), "one\n");
  gitIn(inside.work, "add", "--all");
  gitIn(inside.work, "commit", "--quiet", "-m", "first");
  return farMachine(inside);
}

export const never = () => false;
export const home = { branch: "bcdfghjk/1", message: "Task 1 of batch bcdfghjk" };
