/** Draws a glTF model into a place, and turns it. Loaded only when a model is shown. */
import {
  Box3,
  DirectionalLight,
  HemisphereLight,
  Mesh,
  PerspectiveCamera,
  Scene,
  TextureLoader,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";

export interface Solid {
  meshes: number;
  triangles: number;
  size: { x: number; y: number; z: number };
}

export interface Stage {
  solid: Solid;
  /** Radians around and over the model. */
  turn: (around: number, over: number) => void;
  zoom: (factor: number) => void;
  reset: () => void;
  end: () => void;
}

/** Throws what WebGL or the loader throws. */
export async function stageOf(place: HTMLElement, bytes: ArrayBuffer): Promise<Stage> {
  const model = (await loader().parseAsync(bytes, "")).scene;
  const renderer = new WebGLRenderer({ antialias: true, alpha: true });
  renderer.domElement.setAttribute("aria-hidden", "true");
  place.append(renderer.domElement);
  const scene = new Scene();
  const sun = new DirectionalLight(0xffffff, 2.2);
  sun.position.set(3, 5, 4);
  scene.add(model, new HemisphereLight(0xffffff, 0x777788, 1.6), sun);
  const box = new Box3().setFromObject(model);
  const size = box.getSize(new Vector3());
  const far = Math.max(size.length(), 1e-6);
  model.position.sub(box.getCenter(new Vector3()));
  const camera = new PerspectiveCamera(40, 1, far / 100, far * 20);
  const controls = new OrbitControls(camera, renderer.domElement);
  controls.enablePan = false;
  const draw = () => renderer.render(scene, camera);
  const reset = () => {
    camera.position.set(far * 0.85, far * 0.6, far * 1.35);
    controls.target.set(0, 0, 0);
    controls.update();
    draw();
  };
  controls.addEventListener("change", draw);
  const watch = new ResizeObserver(() => {
    renderer.setSize(place.clientWidth, place.clientHeight);
    camera.aspect = place.clientWidth / Math.max(1, place.clientHeight);
    camera.updateProjectionMatrix();
    draw();
  });
  watch.observe(place);
  reset();
  return {
    solid: measured(model, size),
    turn: (around, over) => {
      model.rotation.y += around;
      model.rotation.x += over;
      draw();
    },
    zoom: (factor) => {
      camera.position.multiplyScalar(factor);
      controls.update();
      draw();
    },
    reset: () => {
      model.rotation.set(0, 0, 0);
      reset();
    },
    end: () => {
      watch.disconnect();
      controls.dispose();
      renderer.dispose();
      renderer.forceContextLoss();
      renderer.domElement.remove();
    },
  };
}

/** Pictures inside a model are loaded as pictures: the page's policy lets no script fetch them. */
function loader(): GLTFLoader {
  const made = new GLTFLoader();
  made.register((parser) => {
    parser.textureLoader = new TextureLoader(parser.options.manager);
    return { name: "pictures" };
  });
  return made;
}

function measured(model: Scene["children"][number], size: Vector3): Solid {
  let meshes = 0;
  let triangles = 0;
  model.traverse((each) => {
    if (!(each instanceof Mesh)) return;
    meshes += 1;
    const { index, attributes } = each.geometry;
    triangles += Math.floor((index?.count ?? attributes.position?.count ?? 0) / 3);
  });
  return { meshes, triangles, size: { x: size.x, y: size.y, z: size.z } };
}
