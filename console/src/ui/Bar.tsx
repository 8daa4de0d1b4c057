/** How much of something is used, as a bar. `label` says it in words. */
export function Bar({ share, isOver, label }: { share: number; isOver?: boolean; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div
      className="bar"
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div className={isOver ? "bar-over" : undefined} style={{ width: `${percent}%` }} />
    </div>
  );
}
