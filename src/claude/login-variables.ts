// Environment variables that decide which login a session uses, where its requests go, and which certificates it trusts.

const ofLogin = [
  /^ANTHROPIC_/,
  // Bedrock, Vertex and Foundry: which account, which credentials.
  /^(?:AWS|GOOGLE|GCLOUD|CLOUDSDK|CLOUD_ML|GCE|VERTEX|AZURE|IDENTITY|MSI)_/,
  /^CLAUDE_CODE_(?:OAUTH|API|USE|SKIP|CUSTOM_OAUTH|CLIENT|CERT|HOST|PROVIDER|ACCOUNT|ORGANIZATION|SESSION|REMOTE)_?/,
  /^CLAUDE_(?:CONFIG_DIR|SECURESTORAGE_.*|LOCAL_.*|TRUSTED_.*|SDK_.*)$/,
  /^(?:HOME|USERPROFILE|APPDATA|LOCALAPPDATA)$/,
  // Where requests go, and which certificates are trusted.
  /^(?:HTTPS?|ALL|NO|WSS?|SOCKS5?)_PROXY$/,
  /^(?:NODE_(?:EXTRA_CA_CERTS|TLS_.*|USE_.*)|SSL_CERT_(?:FILE|DIR))$/,
];

/** Whether a variable affects the login of a session. Ignores case, as proxies do. */
export function decidesLogin(name: string): boolean {
  const upper = name.toUpperCase();
  return ofLogin.some((pattern) => pattern.test(upper));
}
