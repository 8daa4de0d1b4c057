/** A table that scrolls inside itself where the screen is narrow; the keyboard can scroll it too. */
import { Table, type TableProps } from "antd";
import { type ComponentRef, useEffect, useRef } from "react";

export function WideTable<Row extends object>(props: TableProps<Row>) {
  const table = useRef<ComponentRef<typeof Table>>(null);
  useEffect(() => {
    // Ant Design has no property for it.
    table.current?.nativeElement.querySelector(".ant-table-content")?.setAttribute("tabindex", "0");
  });
  return <Table<Row> {...props} ref={table} />;
}
