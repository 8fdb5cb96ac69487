// The scripts of the pages are imported as text, because they run in a browser.
declare module "*.browser.js" {
  const text: string;
  export default text;
}
