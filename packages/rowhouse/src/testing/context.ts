import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** A superuser's URL of the server under test, on its maintenance database. */
    serverUrl: string;
    authenticatorPassword: string;
    /** A migrated database, to be cloned. */
    template: string;
    /** The same with pgTAP in it. */
    pgtapTemplate: string;
  }
}
