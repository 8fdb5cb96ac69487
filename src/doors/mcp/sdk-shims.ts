// What the SDK asks its platform for, put in place by `paths` in `tsconfig.json`: it would bring ajv, which makes the
// executable 0.7 MB larger. The SDK's other validator checks what clients answer to questions as well, and we ask none.
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";

const { process } = globalThis;

export { process };
