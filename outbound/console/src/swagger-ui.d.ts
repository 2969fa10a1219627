// The one function of swagger-ui-dist that is used; the package brings no types of its own.
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  export default function SwaggerUI(options: Record<string, unknown>): unknown;
}
