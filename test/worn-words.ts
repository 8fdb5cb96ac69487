// Words of another language's word order, which texts in plain English do without.

/** In documents and in comments. */
export const wornWords =
  /\b(?:bears?|mend(?:s|ed)?|told|tells?|whoever|whom|carr(?:y|ies)|dear|(?:is|are) to be|what came of)\b/gi;
