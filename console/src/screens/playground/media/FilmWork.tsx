import { useTexts } from "@/app/texts";
import type { WorkProps } from "../work";
import { TaskWork } from "./TaskWork";
import { texts } from "./texts";

const CHOICES = {
  ratios: ["16:9", "9:16", "1:1", "4:3", "3:4"],
  resolutions: ["720p", "1080p"],
  hasDuration: true,
};

export default function FilmWork(props: WorkProps) {
  const t = useTexts(texts);
  return (
    <TaskWork
      {...props}
      kind="video"
      firstPrompt={t.filmPrompt}
      choices={CHOICES}
      show={(url) => (
        // biome-ignore lint/a11y/useMediaCaption: what a model made has no captions
        <video src={url} controls style={{ width: "100%", maxHeight: 480, borderRadius: 8 }} />
      )}
    />
  );
}
