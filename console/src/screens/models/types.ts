import type { operations } from "@/api/schema";

export type { EndpointView, ModelDetail, ModelView } from "@/api/schema";
export type ListModelsParameters = NonNullable<operations["list_models"]["parameters"]["query"]>;
