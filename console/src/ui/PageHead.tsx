import type { ReactNode } from "react";

/** Title of a screen, a sentence that says what it is for, and its main actions. */
export function PageHead({
  title,
  about,
  actions,
}: {
  title: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <header className="page-head">
      <div className="page-head-words">
        <h1>{title}</h1>
        {about ? <p>{about}</p> : null}
      </div>
      {actions}
    </header>
  );
}
