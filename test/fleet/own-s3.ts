// A small S3 of the test's own, on loopback: objects of one bucket in memory, whole and in parts, behind a signature that
// it checks. It computes that itself, from Amazon's description, so a wrong secret is refused as by the real one.
import { createHash, createHmac } from "node:crypto";
import type { S3Access } from "../../src/fleet/settings.ts";

const accessKeyId = "AKIATEST";
const secretAccessKey = "a-secret-of-the-test";
const bucket = "bucket";

export class OwnS3 implements AsyncDisposable {
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #uploads = new Map<string, Map<number, Uint8Array<ArrayBuffer>>>();
  readonly #server: ReturnType<typeof Bun.serve>;

  private constructor() {
    this.#server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => this.#answer(request) });
  }

  static start(): OwnS3 {
    return new OwnS3();
  }

  get access(): Required<S3Access> {
    const endpoint = `http://127.0.0.1:${this.#server.port}`;
    return { endpoint, region: "us-east-1", accessKeyId, secretAccessKey };
  }

  async #answer(request: Request): Promise<Response> {
    if (!isSignedRight(request)) return refused(403, "AccessDenied", "The signature does not match.");
    const url = new URL(request.url);
    const [, named = "", ...rest] = decodeURIComponent(url.pathname).split("/");
    if (named !== bucket) return refused(404, "NoSuchBucket", "The bucket does not exist.");
    const key = rest.join("/");
    const upload = url.searchParams.get("uploadId");
    switch (request.method) {
      case "POST": {
        if (upload === null) {
          const id = crypto.randomUUID();
          this.#uploads.set(id, new Map());
          return xml(
            `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
          );
        }
        const parts = [...(this.#uploads.get(upload) ?? [])].sort(([one], [other]) => one - other);
        this.objects.set(key, new Uint8Array(Buffer.concat(parts.map(([, bytes]) => bytes))));
        return xml(`<CompleteMultipartUploadResult><Key>${key}</Key></CompleteMultipartUploadResult>`);
      }
      case "PUT": {
        const bytes = new Uint8Array(await request.arrayBuffer());
        if (upload === null) this.objects.set(key, bytes);
        else this.#uploads.get(upload)?.set(Number(url.searchParams.get("partNumber")), bytes);
        return new Response(null, { headers: { ETag: `"${bytes.length}"` } });
      }
      case "DELETE":
        if (upload === null) this.objects.delete(key);
        return new Response(null, { status: 204 });
      default: {
        const found = this.objects.get(key);
        return found ? new Response(found) : refused(404, "NoSuchKey", "The key does not exist.");
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

function xml(body: string): Response {
  return new Response(`<?xml version="1.0"?>${body}`, { headers: { "Content-Type": "application/xml" } });
}

function refused(status: number, code: string, message: string): Response {
  return new Response(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    {
      status,
      headers: { "Content-Type": "application/xml" },
    },
  );
}

// AWS Signature Version 4 in the header `Authorization`.
function isSignedRight(request: Request): boolean {
  const header = request.headers.get("Authorization") ?? "";
  const [, credential = "", names = "", signature = ""] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(header) ??
    [];
  const [id, day = "", region = "", service = ""] = credential.split("/");
  if (id !== accessKeyId) return false;
  const url = new URL(request.url);
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join("&");
  const headers = names.split(";").map((name) => `${name}:${(request.headers.get(name) ?? "").trim()}\n`);
  const body = request.headers.get("x-amz-content-sha256") ?? "";
  const canonical = [request.method, url.pathname, query, headers.join(""), names, body].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const date = request.headers.get("x-amz-date") ?? "";
  const text = ["AWS4-HMAC-SHA256", date, [day, region, service, "aws4_request"].join("/"), digest].join(
    "\n",
  );
  const secret = [day, region, service, "aws4_request"].reduce(
    (key: Buffer, part) => createHmac("sha256", key).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  return createHmac("sha256", secret).update(text).digest("hex") === signature;
}
