export { type ClassifiedPicture, type ClassifierReport, evaluateClassifier } from './evaluate-classifier.ts';
export { type DetectorReport, evaluateDetector, type LabelledPicture } from './evaluate-detector.ts';
export { type MeasuredProfile, measureProfile, type ProfileOptions } from './profile.ts';
export { parseYoloLabels } from './yolo-labels.ts';
