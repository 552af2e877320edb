/** The source of a thread, which is imported as text. */
declare module "*-thread.js" {
  const source: string;
  export default source;
}
