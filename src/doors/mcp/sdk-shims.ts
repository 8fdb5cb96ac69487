// Replaces what the SDK imports for its platform, through `paths` in `tsconfig.json`: that would include ajv, which makes
// the executable 0.7 MB larger. The SDK's other validator also checks clients' answers to questions, and we ask none.
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";

const { process } = globalThis;

export { process };
