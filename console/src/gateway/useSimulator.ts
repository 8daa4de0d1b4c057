import { useInstallation } from "./useInstallation";

/** Whether the provider simulator stands in for every provider; undefined: not known yet. */
export function useSimulator(): boolean | undefined {
  return useInstallation()?.simulator;
}
