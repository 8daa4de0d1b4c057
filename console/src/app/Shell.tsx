/** The frame of every screen: menu, head, and the place where screens come. */
import { MenuOutlined } from "@ant-design/icons";
import { Button, Menu, Skeleton } from "antd";
import { lazy, Suspense, useEffect, useState } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { Boundary } from "./Boundary";
import { HeadTools } from "./HeadTools";
import { useMenu, useScreen } from "./menu";
import { useIsWide } from "./preferences";
import { screenNames } from "./screens";
import { useTexts } from "./texts";
import { texts } from "./texts-shell";

const SmallMenu = lazy(() => import("./SmallMenu"));
const NotFound = lazy(() => import("./NotFound"));

export function Shell() {
  const t = useTexts(texts);
  const names = useTexts(screenNames);
  const location = useLocation();
  const isWide = useIsWide();
  const [isOpen, setIsOpen] = useState(false);
  const { screen, isAllowed } = useScreen(location.pathname);
  useEffect(() => {
    document.title = screen ? `${names[screen.name]} - aimesh` : "aimesh";
  }, [screen, names]);
  const menu = <MainMenu path={location.pathname} onChoose={() => setIsOpen(false)} />;
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t.skip}
      </a>
      {isWide ? (
        <aside className="shell-side">
          <Brand />
          <nav aria-label={t.menu}>{menu}</nav>
        </aside>
      ) : (
        <Suspense fallback={null}>
          <SmallMenu isOpen={isOpen} label={t.menu} onClose={() => setIsOpen(false)} title={<Brand />}>
            {menu}
          </SmallMenu>
        </Suspense>
      )}
      <div className="shell-body">
        <header className="shell-head">
          {isWide ? null : (
            <>
              <Button
                type="text"
                icon={<MenuOutlined />}
                aria-label={t.menu}
                onClick={() => setIsOpen(true)}
              />
              <Brand />
            </>
          )}
          <HeadTools />
        </header>
        <main id="content" className="shell-content" tabIndex={-1}>
          <Suspense fallback={<Skeleton active paragraph={{ rows: 8 }} />}>
            <Boundary>{isAllowed ? <Outlet /> : <NotFound isForbidden />}</Boundary>
          </Suspense>
        </main>
      </div>
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className="brand" aria-label="aimesh">
      <img src="/favicon.svg" alt="" width={24} height={24} />
      <span>aimesh</span>
    </Link>
  );
}

function MainMenu({ path, onChoose }: { path: string; onChoose: () => void }) {
  const { items, selected } = useMenu(path);
  return (
    <Menu mode="inline" items={items} selectedKeys={selected} onClick={onChoose} className="shell-menu" />
  );
}
