/** The end of what has come: more comes when it is scrolled into sight, or asked for by the button. */
import { Button } from "antd";
import { useEffect, useRef } from "react";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";
import type { Models } from "./useModels";

const AHEAD = "600px";

export function More({ list }: { list: Models }) {
  const t = useTexts(texts);
  const place = useRef<HTMLDivElement>(null);
  const { hasMore, isLoadingMore, loadMore } = list;
  const load = useRef(loadMore);
  useEffect(() => {
    load.current = loadMore;
  });
  // A page that did not fill the screen leaves the end in sight, so it is looked at again after each.
  useEffect(() => {
    if (place.current === null || !hasMore || isLoadingMore) return;
    const watch = new IntersectionObserver(
      (seen) => {
        if (seen.some((each) => each.isIntersecting)) load.current();
      },
      { rootMargin: AHEAD },
    );
    watch.observe(place.current);
    return () => watch.disconnect();
  }, [hasMore, isLoadingMore]);
  if (!hasMore) return null;
  return (
    <div ref={place} className="models-more">
      <Button loading={isLoadingMore} onClick={loadMore}>
        {t.more}
      </Button>
    </div>
  );
}
