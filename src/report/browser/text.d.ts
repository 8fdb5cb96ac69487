// The scripts of the pages are read as text: they run in a browser and not here.
declare module "*.browser.js" {
  const text: string;
  export default text;
}
