/** One-time links. The address lives in this state only, until its dialog is closed. */
import { useState } from "react";
import { api } from "@/api/client";
import type { Member, PasswordLinkAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useRefused } from "./Refusal";
import { texts } from "./texts";

export interface MadeLink {
  name: string;
  link: PasswordLinkAnswer;
}

export function useLinks() {
  const [made, setMade] = useState<MadeLink | null>(null);
  const refused = useRefused(useTexts(texts).refusals);
  return {
    made,
    forget: () => setMade(null),
    make: async (member: Member) => {
      const path = { user_id: member.id };
      try {
        const { data, error } = await api.POST("/members/{user_id}/password-link", { params: { path } });
        if (data) setMade({ name: member.username, link: data });
        else refused(error);
      } catch (error) {
        refused(error);
      }
    },
  };
}
