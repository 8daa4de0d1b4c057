/**
 * Ready calls of a model, as they are copied into a terminal or a file: they run as they are.
 *
 * Official SDKs where providers' own pages use them (openai, anthropic), plain HTTP elsewhere. Tasks are asked for until
 * they end.
 */
import { curlExample } from "./examples-curl";
import { nodeExample } from "./examples-node";
import { pythonExample } from "./examples-python";
import { type Body, canStream, sampleBody } from "./interfaces";

export { canStream, pathOf, sampleBody, taskPathOf } from "./interfaces";

export interface ExampleCall {
  interface: string;
  model: string;
  /** Ends in `/gateway`. */
  baseUrl: string;
  /** A key's text, masked or whole, or `$API_KEY`, which a shell puts in. */
  keyText: string;
  /** Without it, one that shows what the interface is for. */
  body?: object;
  stream?: boolean;
  /** Of the model; tells what a sample body holds. */
  kind?: string;
  /** The model is Ark's own: its paths begin with `/api/v3`. */
  isArk?: boolean;
}

export interface Examples {
  curl: string;
  python: string;
  node: string;
}

/** A call with everything decided. */
export interface Ready {
  interface: string;
  baseUrl: string;
  keyText: string;
  body: Body;
  stream: boolean;
  isArk: boolean;
}

export function examplesFor(call: ExampleCall): Examples {
  const { stream: asked, ...body } = {
    ...(call.body ?? sampleBody(call.interface, call.model, call.kind)),
  } as Body;
  const ready: Ready = {
    interface: call.interface,
    baseUrl: call.baseUrl.replace(/\/+$/, ""),
    keyText: call.keyText,
    body,
    stream: canStream(call.interface) && (call.stream ?? asked === true),
    isArk: call.isArk ?? false,
  };
  return { curl: curlExample(ready), python: pythonExample(ready), node: nodeExample(ready) };
}
