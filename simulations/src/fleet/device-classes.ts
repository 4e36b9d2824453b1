/**
 * What kinds of devices do. No source has run our models on them: each time is a published figure of another small detector, which the class names, taken as it is or scaled by
 * a factor that is assumed (Lite0 : SSD-MobileNetV2-300 = 1.25). What float costs, and watts that no source is named for, are assumed too. Watts are above idling. It is all good for
 * comparing strategies, not for bills.
 */
export interface DeviceClass {
  readonly title: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** As an agent says what runs its models. */
  readonly runtime: string;
  readonly slots: number;
  /** One inference of EfficientDet-Lite0 int8, ms. */
  readonly lite0Ms: number;
  /** How much longer float takes; `undefined`: it cannot be run there. */
  readonly floatFactor: number | undefined;
  readonly loadMs: number;
  readonly idleWatts: number;
  /** While it infers, above idling. */
  readonly busyWatts: number;
  /** Of the battery that such a device has or is usually given, Wh. */
  readonly batteryWh: number | undefined;
  readonly source: string;
}

export const deviceClasses = {
  'pi-3b-plus': {
    title: 'Raspberry Pi 3B+',
    cores: 4,
    memoryBytes: 1e9,
    runtime: 'onnxruntime-node/1.30.0 cpu',
    slots: 1,
    lite0Ms: 475,
    floatFactor: 1.6,
    loadMs: 1_500,
    idleWatts: 1.9,
    busyWatts: 2.6,
    batteryWh: 20,
    source:
      'derived: SSD-MobileNetV2 379.6 ms (aallan); 1,116 mJ a request net of base on a 3B (arXiv 2409.16808); idling assumed',
  },
  'pi-4': {
    title: 'Raspberry Pi 4B',
    cores: 4,
    memoryBytes: 4e9,
    runtime: 'onnxruntime-node/1.30.0 cpu',
    slots: 1,
    lite0Ms: 141,
    floatFactor: 1.3,
    loadMs: 800,
    idleWatts: 1.6,
    busyWatts: 3.4,
    batteryWh: 37,
    source: 'derived: SSD-MobileNetV2 112.6 ms (aallan); 1.6 W idle, 5.0 W busy (sbc-reviews#4)',
  },
  'pi-5': {
    title: 'Raspberry Pi 5',
    cores: 4,
    memoryBytes: 8e9,
    runtime: 'onnxruntime-node/1.30.0 cpu',
    slots: 2,
    lite0Ms: 29,
    floatFactor: 2.7,
    loadMs: 400,
    idleWatts: 3.1,
    busyWatts: 5.9,
    batteryWh: 50,
    source:
      'derived: SSD-MobileNetV2 23.5 ms (aallan); 3.1 W idle, 9.0 W busy (sbc-reviews#60); int8 2.7x (learn.arm.com)',
  },
  'pi-4-coral': {
    title: 'Raspberry Pi 4B with Coral USB',
    cores: 4,
    memoryBytes: 4e9,
    runtime: 'edgetpu/2.17 tpu',
    slots: 1,
    lite0Ms: 22.8,
    floatFactor: undefined,
    loadMs: 300,
    idleWatts: 2.5,
    busyWatts: 2.4,
    batteryWh: 37,
    source: 'derived: SSD-MobileNetV2 18.2 ms (aallan); watts assumed',
  },
  'pi-5-hailo': {
    title: 'Raspberry Pi 5 with Hailo-8L',
    cores: 4,
    memoryBytes: 8e9,
    runtime: 'hailort/4.20 npu',
    slots: 2,
    lite0Ms: 11,
    floatFactor: undefined,
    loadMs: 300,
    idleWatts: 4.1,
    busyWatts: 3.5,
    batteryWh: 50,
    source: 'derived: YOLOv6n 11 ms (Frigate); watts assumed',
  },
  'jetson-nano': {
    title: 'Jetson Nano 4GB',
    cores: 4,
    memoryBytes: 4e9,
    runtime: 'tensorrt/8.2 gpu',
    slots: 1,
    lite0Ms: 90,
    floatFactor: 1.1,
    loadMs: 3_000,
    idleWatts: 2.0,
    busyWatts: 4.8,
    batteryWh: 74,
    source: 'derived: SSD-MobileNetV2 72.3 ms (aallan); 6.84 W busy (arXiv 2207.06150); idling assumed',
  },
  'orin-nano': {
    title: 'Jetson Orin Nano 8GB, 15 W',
    cores: 6,
    memoryBytes: 8e9,
    runtime: 'tensorrt/10.3 gpu',
    slots: 2,
    lite0Ms: 4.4,
    floatFactor: 2.1,
    loadMs: 2_500,
    idleWatts: 4.5,
    busyWatts: 5.5,
    batteryWh: 99,
    source:
      'derived: YOLOv8n int8 5.52 ms at 9.1 to 10.9 W (hokwangchoi); SSD-MobileNetV1 36 mJ (arXiv 2409.16808); idling assumed',
  },
  rk3588: {
    title: 'RK3588 with its NPU',
    cores: 8,
    memoryBytes: 8e9,
    runtime: 'rknn/2.3 npu',
    slots: 3,
    lite0Ms: 20,
    floatFactor: undefined,
    loadMs: 500,
    idleWatts: 3.5,
    busyWatts: 3.0,
    batteryWh: undefined,
    source: 'derived: YOLO-NAS-s 320 20 ms (Frigate); watts assumed',
  },
  n100: {
    title: 'Mini PC, Intel N100',
    cores: 4,
    memoryBytes: 16e9,
    runtime: 'openvino/2026.1 gpu',
    slots: 2,
    lite0Ms: 26,
    floatFactor: 1.5,
    loadMs: 600,
    idleWatts: 6,
    busyWatts: 9,
    batteryWh: undefined,
    source: 'derived: YOLOv9s 320 30 ms on the iGPU (Frigate); watts assumed',
  },
  phone: {
    title: 'Phone of 2019 (Pixel 4 class)',
    cores: 8,
    memoryBytes: 6e9,
    runtime: 'onnxruntime-web/1.30.0 wasm',
    slots: 1,
    lite0Ms: 43,
    floatFactor: 1.8,
    loadMs: 700,
    idleWatts: 0.3,
    busyWatts: 2.7,
    batteryWh: 10.7,
    source:
      'derived: SSD-MobileNetV2 34.1 ms on two threads (freedomtan); 8.8 to 175 mJ for classifiers (DeepEn2023); idling as a phone whose screen is off, 0.27 W (Carroll and Heiser 2010); busy watts assumed',
  },
  'phone-npu': {
    title: 'Phone of 2019, its NPU',
    cores: 8,
    memoryBytes: 6e9,
    runtime: 'nnapi/1.3 npu',
    slots: 1,
    lite0Ms: 12.3,
    floatFactor: undefined,
    loadMs: 700,
    idleWatts: 0.3,
    busyWatts: 1.8,
    batteryWh: 10.7,
    source: 'derived: SSD-MobileDet 12.3 ms on the DSP (tf1_detection_zoo); idling as above, busy watts assumed',
  },
} as const satisfies Record<string, DeviceClass>;

export type DeviceClassName = keyof typeof deviceClasses;

/** How much longer the larger models take than Lite0: measured on one x86 machine, one thread, int8; assumed to be the same elsewhere. */
export const modelFactors = {
  'efficientdet-lite0': 1,
  'efficientdet-lite1': 2.06,
  'efficientdet-lite2': 2.96,
} as const;
export type ModelName = keyof typeof modelFactors;

/** Measured with `shoal-models eval` on 128 pictures, over all three; by how many things are on a picture, the catalogue has the figures of int8. */
export const floatGain = 0.001;
