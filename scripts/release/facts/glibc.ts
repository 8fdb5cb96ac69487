// Which distributions a version of glibc stands for, for people know those.

const distributions: Record<string, (readonly [glibc: string, name: string])[]> = {
  RHEL: [
    ["2.17", "7"],
    ["2.28", "8"],
    ["2.34", "9"],
    ["2.39", "10"],
  ],
  Debian: [
    ["2.19", "8"],
    ["2.24", "9"],
    ["2.28", "10"],
    ["2.31", "11"],
    ["2.36", "12"],
    ["2.41", "13"],
  ],
  Ubuntu: [
    ["2.19", "14.04"],
    ["2.23", "16.04"],
    ["2.27", "18.04"],
    ["2.31", "20.04"],
    ["2.35", "22.04"],
    ["2.39", "24.04"],
  ],
};

/** The oldest release of each distribution that has this version of glibc, or a newer one. */
export function distributionsWith(glibc: string): string {
  const found = Object.entries(distributions).flatMap(([name, releases]) => {
    const first = releases.find(([version]) => Bun.semver.order(`${version}.0`, `${glibc}.0`) >= 0);
    return first ? [`${name} ${first[1]}`] : [];
  });
  return found.length > 0 ? found.join(", ") : "no distribution that we know of";
}
