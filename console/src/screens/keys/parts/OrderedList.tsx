/** Lines in an order that a person sets: dragged with the pointer, or moved with the keyboard. */
import { DeleteOutlined, HolderOutlined } from "@ant-design/icons";
import {
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { Button, Flex, Tag, theme } from "antd";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

export interface Line {
  id: string;
  title: string;
  /** What is wrong with it. */
  mark?: string;
}

interface Props {
  lines: Line[];
  onChange: (ids: string[]) => void;
  label: string;
  disabled?: boolean;
}

export function OrderedList({ lines, onChange, label, disabled = false }: Props) {
  const t = useTexts(texts);
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const ids = lines.map((line) => line.id);
  const titleOf = (id: unknown) => lines.find((line) => line.id === id)?.title ?? String(id);
  const placeOf = (id: unknown) => ids.indexOf(String(id)) + 1;
  const drop = ({ active, over }: DragEndEvent) => {
    if (over === null || over.id === active.id) return;
    onChange(arrayMove(ids, placeOf(active.id) - 1, placeOf(over.id) - 1));
  };
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={drop}
      accessibility={{
        screenReaderInstructions: { draggable: t.drag.instructions },
        announcements: {
          onDragStart: ({ active }) => t.drag.start(titleOf(active.id)),
          onDragOver: ({ active, over }) =>
            over ? t.drag.over(titleOf(active.id), placeOf(over.id)) : undefined,
          onDragEnd: ({ active, over }) => t.drag.end(titleOf(active.id), placeOf(over?.id ?? active.id)),
          onDragCancel: ({ active }) => t.drag.cancel(titleOf(active.id)),
        },
      }}
    >
      <SortableContext items={ids} strategy={verticalListSortingStrategy}>
        <ol aria-label={label} style={{ listStyle: "none", margin: 0, padding: 0 }}>
          {lines.map((line, index) => (
            <Row
              key={line.id}
              line={line}
              place={index + 1}
              disabled={disabled}
              onRemove={() => onChange(ids.filter((id) => id !== line.id))}
            />
          ))}
        </ol>
      </SortableContext>
    </DndContext>
  );
}

function Row({
  line,
  place,
  disabled,
  onRemove,
}: {
  line: Line;
  place: number;
  disabled: boolean;
  onRemove: () => void;
}) {
  const t = useTexts(texts);
  const { token } = theme.useToken();
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } =
    useSortable({ id: line.id, disabled });
  return (
    <li
      ref={setNodeRef}
      style={{
        transform: CSS.Translate.toString(transform),
        transition,
        position: "relative",
        zIndex: isDragging ? 1 : undefined,
        marginBottom: 6,
        padding: "4px 6px",
        borderRadius: token.borderRadius,
        border: `1px solid ${isDragging ? token.colorPrimary : token.colorBorderSecondary}`,
        background: token.colorBgElevated,
        boxShadow: isDragging ? token.boxShadowSecondary : undefined,
      }}
    >
      <Flex align="center" gap={8}>
        <Button
          {...attributes}
          {...listeners}
          ref={setActivatorNodeRef}
          type="text"
          size="small"
          disabled={disabled}
          icon={<HolderOutlined />}
          aria-label={t.move(line.title)}
          style={{ cursor: disabled ? undefined : "grab", touchAction: "none" }}
        />
        <span className="number quiet">{place}</span>
        <span style={{ flex: 1, minWidth: 0 }}>
          {line.title} {line.mark ? <Tag color="warning">{line.mark}</Tag> : null}
        </span>
        <Button
          type="text"
          size="small"
          disabled={disabled}
          icon={<DeleteOutlined />}
          aria-label={t.remove(line.title)}
          onClick={onRemove}
        />
      </Flex>
    </li>
  );
}
